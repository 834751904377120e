"""The still lifes and scenes of the demo, one module for each group that sells them.

Every function takes a `Look` and draws one thing on its canvas, standing on y = 318 or lying flat.
"""
