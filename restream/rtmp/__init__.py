"""RTMP: handshake, chunks, AMF0 and FLV as pure codecs; a server that ingests, a client that publishes."""
