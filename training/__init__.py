"""Fine-tuning of what TADBot speaks and hears with; nothing of it runs in a talk."""
