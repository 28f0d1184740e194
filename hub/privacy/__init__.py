"""A person's rights: to see what is kept, and to have it erased; and how long anything is kept."""
