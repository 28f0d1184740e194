"""How a show is played and by whom: player settings, playback tokens and their keys, moments of the show."""
