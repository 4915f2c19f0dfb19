"""Where blocks of trials run: whose arrays, what draws their noise, what analyses their matrices, how much fits.

Everything else is written once, for arrays of any namespace.
"""
