"""The thin client: a microphone, a speaker, a camera and the contract; it knows no models."""
