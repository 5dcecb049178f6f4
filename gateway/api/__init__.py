"""The HTTP side of the gateway: routes by noun; each reads a call, hands it to the exchange and signs the answer."""
