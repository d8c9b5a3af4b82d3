"""A stream that several workers share, kept by a durable broker: `base` what is asked of one."""
