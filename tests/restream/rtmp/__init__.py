"""Tests of RTMP: properties of the codecs; real encoders and servers against ours."""
