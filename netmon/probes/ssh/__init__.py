"""SSH to routers: what they are, how they are configured; never a change on them."""
