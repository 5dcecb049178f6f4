"""The forecasting centre: a requester like any other, in a process of its own, that publishes forecasts."""
