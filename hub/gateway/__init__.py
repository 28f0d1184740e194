"""The gateway: news to every viewer and studio screen over WebSocket."""
