"""TensorFlow, devices and files: what differs between versions and machines."""
