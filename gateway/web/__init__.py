"""The public page: what was released and forecast, each figure with its error. Works without JavaScript."""
