"""Report on trainings: their curves, settings, data and fine-tunings, as a page or as text."""
