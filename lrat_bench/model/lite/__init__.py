"""Any model through LiteLLM. Nothing outside this folder imports the library."""
