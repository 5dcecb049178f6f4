"""Online crime from released figures: ranks, freeze share, pace, forecasts, and the trail of the money."""
