"""TensorFlow, devices and files: the differences between versions and machines."""
