"""The work process: jobs, followers of chats and media workers, and the clockwork."""
