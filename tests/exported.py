"""Files that other services export, for tests of several rooms."""

LETTERBOXD = """Date,Name,Year,Letterboxd URI,Rating
2024-01-02,The Godfather,1972,https://boxd.it/2aNK,4.5
2024-01-02,Amelie,2001,https://boxd.it/2bbE,0.5
2024-01-02,Hamlet,1948,https://boxd.it/2,3
2024-01-02,Star Wrs,1977,https://boxd.it/3,2
2024-01-02,Nothing Like It,2003,https://boxd.it/4,2
2024-01-02,Star Wars,1977,https://boxd.it/5,
"""
