"""Welcome: the first visit of a new member: interests, groups, a first word. All of it can wait.

Pages: three steps, each skippable and resumed where one left; without scripts they are plain
forms. Who came to read a thread goes back there first and finds a line that offers the rest.
"""
