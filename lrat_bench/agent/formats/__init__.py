"""Wire formats: how a conversation with tools is put into messages, and read back."""
