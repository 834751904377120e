"""The main job on real input: talk and listings come in, readers click, shops report orders.

`manage.py rehearse FOLDER` runs it on a database of its own and compares what merchants' pages
show with a sum over the log of what was sent (sums.py, which knows nothing of the code it checks).
"""
