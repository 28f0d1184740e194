"""Who may watch: tokens, sites, and room for so many viewers. The door of the media port."""
