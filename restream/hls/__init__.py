"""Low-latency HLS (draft-pantos-hls-rfc8216bis): frames to parts to playlists to players."""
