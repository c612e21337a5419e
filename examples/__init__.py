"""Programs that show how other systems send their calls here."""
