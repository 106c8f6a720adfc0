"""Read and write files, local or behind a URL. A file that is written is whole or absent."""
