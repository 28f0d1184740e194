"""A viewer without a screen: plays a show in a real browser and says how it was."""
