"""What each command does over a whole corpus."""
