"""Archives that must be refused. Each holds a good index, so that nothing but its one fault can be the reason."""
