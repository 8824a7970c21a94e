"""The Gradio app: every sample of a run one click away, both models side by side."""
