"""The demo's own content: its people, what they wrote and sold, and how pictures are drawn."""
