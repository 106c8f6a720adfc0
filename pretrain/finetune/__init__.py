"""Fine-tune a checkpoint on a task, several times, and measure what came of it."""
