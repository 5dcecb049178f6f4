"""The broker: registry, relay, ledger, log, releases and pages."""
