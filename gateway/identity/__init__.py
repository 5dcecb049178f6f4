"""Who is calling: the authorization server, access tokens, and proof that a call was signed by the token's client."""
