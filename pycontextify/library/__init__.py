"""The rooms put together: what the command line, the server and `import pycontextify` all use."""
