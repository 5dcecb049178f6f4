"""The coming weeks: released weekly counts of police regions, forecast eight weeks ahead."""
