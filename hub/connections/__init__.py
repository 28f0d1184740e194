"""One brand's linked accounts on platforms, shops and gateways."""
