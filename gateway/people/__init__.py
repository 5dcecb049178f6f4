"""People at the gateway's pages: who they are, what they may do, how they sign in and how they approve."""
