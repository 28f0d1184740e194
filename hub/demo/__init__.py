"""The rehearsal: fakes for every platform, a test-pattern encoder and a scripted show."""
