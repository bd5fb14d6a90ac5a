"""Which column of a table holds the users, the items, the ratings and the times.

The names of the columns tell it, in several languages and spellings; where they do not, what is in
the columns does. What is not clear from either is asked for, never assumed.
"""

from collections.abc import Iterable, Mapping, Sequence

from tastemap.data.readers.column_names import columns_of_interactions, plain, words_of
from tastemap.data.readers.contents import Content
from tastemap.data.readers.timestamps import NO_TIMES
from tastemap.errors import ArgumentError, DataError, NoRatingsError

ROLES = ("user", "item", "rating", "timestamp")
KEYS = {"user": "user_id", "item": "item_id", "rating": "rating", "timestamp": "timestamp"}
# More columns than these are not told apart by what is in them.
MAX_COLUMNS_JUDGED = 100
#: Values of each column, from the beginning of a table.
Sample = Mapping[str, Sequence[str]]

# Common names of each column, the clearest first; compared without case, accents, "_", "-", " ".
NAMES = {
    "user": "userid user uid username reviewerid reviewer customerid customer memberid member"
    " personid person profileid profile accountid account visitorid visitor readerid reader"
    " raterid rater nutzerid nutzer benutzerid benutzer kundennummer kundenid kunde leser"
    " rezensent utilisateur idutilisateur client lecteur membre usuario idusuario cliente lector"
    " leitor utente idutente lettore gebruiker klant uzytkownik anvandare bruker sessionid session"
    " u",
    "item": "itemid item iid movieid movie filmid film productid product asin parentasin bookid"
    " book isbn songid song trackid track artistid artist gameid game businessid recipeid jokeid"
    " joke animeid anime mangaid manga beerid beer wineid wine hotelid hotel courseid course"
    " restaurantid restaurant placeid place venueid venue podcastid podcast videoid video showid"
    " show albumid album articleid article appid app artikel artikelnummer produkt buch lied spiel"
    " rezept pelicula libro cancion juego producto articulo receta livre chanson jeu produit"
    " recette libro canzone gioco prodotto filme livro jogo produto boek nummer spel titel titre"
    " titulo titolo title name i",
    "rating": "rating ratings score stars star overall vote grade rate bookrating preference"
    " bewertung wertung calificacion puntuacion valoracion evaluation valutazione punteggio voto"
    " avaliacao beoordeling waardering cijfer ocena betyg sterne etoiles estrellas stelle estrelas"
    " sterren punkte puntos nota note feedback opinion weight value r",
    "timestamp": "timestamp unixtimestamp ts time unixtime unixreviewtime datetime date ratedat"
    " createdat reviewtime reviewdate when zeitstempel zeitpunkt zeit datum horodatage fecha"
    " data tijdstip tijd updatedat dateadded watcheddate t",
}
# Columns of a table of ratings that describe the items, and their common names.
_ITEM_NAMES = {
    "title": "title movietitle itemname",
    "genres": "genres genre",
    "year": "year releaseyear",
}
_NOUNS = {role: frozenset(names.split()) - {"i", "u", "r", "t"} for role, names in NAMES.items()}
# Words that say that a column holds ids.
_ID_WORDS = frozenset(["id", "ids", "nr", "no", "key", "code", "idx", "index", "number", "uuid"])
# Words of columns that tell something of a role, and do not play it.
_OTHER_WORDS = {
    "user": "age gender score avg average mean count location",
    "item": "avg average mean count genre genres year url price",
    "rating": "avg average mean median count counts n num total number max min std helpful votes"
    " year distribution",
    "timestamp": "release released birth birthday published year spent zone run",
}


def find_columns(
    name: str,
    columns: Iterable[str],
    chosen: Mapping[str, str | None],
    *,
    named: bool = True,
    sample: Sample | None = None,
) -> tuple[dict[str, str], list[str]]:
    """Which column holds the user, the item, the rating and the time.

    Args:
        name: What to call the table in messages.
        columns: The names of its columns.
        chosen: For a role, the column that the caller has named, or None to infer it; ``"none"``
            for no times.
        named: Whether the names mean something.
        sample: Values of the columns, which tell what names do not; none by default.

    Returns:
        The column of each role (without ``timestamp`` if there is none), and a note for each
        inference.

    Raises:
        DataError: If a chosen column is not there, or the columns cannot be told apart.
        ArgumentError: If two roles are chosen to be of one column.
    """
    columns = list(columns)
    roles = chosen_columns(name, columns, chosen)
    lacking = [role for role in ROLES if role not in roles]
    if "timestamp" in lacking and chosen.get("timestamp") == NO_TIMES:
        lacking.remove("timestamp")
    free = [column for column in columns if column not in roles.values()]
    notes = []
    if named:
        by_name = columns_by_name(lacking, free)
        notes = [f"column {c} read as {r}" for r, c in by_name.items() if c != KEYS[r]]
        roles |= by_name
        lacking = [role for role in lacking if role not in roles]
        free = [column for column in free if column not in roles.values()]
    if {*lacking} - {"timestamp"} or (lacking and not named):
        described = {*item_columns(free, {}).values()} if named else set()
        usable = [column for column in columns if column not in described]
        if sample is not None and len(usable) > MAX_COLUMNS_JUDGED:
            raise _unclear(name, columns, roles, {})  # a matrix, rather
        given = {column: Content(sample[column]) for column in usable} if sample else {}
        guess, guessed = _by_contents(name, columns, roles, lacking, given, named=named)
        roles, notes = roles | guess, notes + guessed
    return {role: roles[role] for role in ROLES if role in roles}, notes


def chosen_columns(
    name: str, columns: list[str], chosen: Mapping[str, str | None]
) -> dict[str, str]:
    """The columns that the caller has named, each of them there, and no two the same."""
    roles = {role: column for role, column in chosen.items() if column is not None}
    if roles.get("timestamp") == NO_TIMES and NO_TIMES not in columns:
        del roles["timestamp"]
    for role, column in roles.items():
        if column not in columns:
            raise DataError(
                f"{name}, column {column}",
                expected=f"one of its columns {', '.join(columns)}",
                received=f"{role}={column!r}",
                do=f"name the column of the {role}",
            )
    same = [role for role in roles if list(roles.values()).count(roles[role]) > 1]
    if same:
        received = roles[same[0]]
        raise ArgumentError(" and ".join(same), expected="different columns", received=received)
    return roles


# ---- by names ----


def item_columns(columns: Iterable[str], roles: Mapping[str, str]) -> dict[str, str]:
    """The columns that describe the item, by standard name (title, genres, year)."""
    free = [column for column in columns if column not in roles.values()]
    described = {key: first_named(names, free) for key, names in _ITEM_NAMES.items()}
    return {key: column for key, column in described.items() if column is not None}


def first_named(names: str, columns: Iterable[str]) -> str | None:
    """The column with the first of the names that any column has."""
    by_name = {plain(column): column for column in reversed([*columns])}
    return next((by_name[name] for name in names.split() if name in by_name), None)


def columns_by_name(lacking: list[str], free: list[str]) -> dict[str, str]:
    """The columns whose names say a role: a common name first, else a name with a common word."""
    roles: dict[str, str] = {}
    for role in lacking:
        column = first_named(NAMES[role], (c for c in free if c not in roles.values()))
        if column is not None:
            roles[role] = column
    for role in lacking:
        if role not in roles:
            columns = [c for c in free if c not in roles.values() and _role_of(c) == role]
            ids = [c for c in columns if _ID_WORDS & {*words_of(c)}]
            if columns:
                roles[role] = (ids or columns)[0]
    return roles


def _role_of(column: str) -> str | None:
    """The role that the words of a name tell, if they tell one."""
    words = {*words_of(column)}
    order = ("user", "item") if words & _ID_WORDS else ("timestamp", "rating", "user", "item")
    for role in order:
        if words & _NOUNS[role]:
            return None if words & {*_OTHER_WORDS[role].split()} else role
    return None


# ---- by contents ----


def _by_contents(
    name: str,
    columns: list[str],
    roles: dict[str, str],
    lacking: list[str],
    given: Mapping[str, Content],
    *,
    named: bool,
) -> tuple[dict[str, str], list[str]]:
    """The columns of the roles that names do not tell, and notes; `DataError` if not clear."""
    needed = [role for role in lacking if role != "timestamp"]
    is_matrix = not named and len(given) > 2 and _may_be_matrix(columns, given)
    guess = {} if named or is_matrix else _by_position(columns, roles, lacking, given)
    notes = [f"column {column} read as {role}" for role, column in guess.items()]
    if not guess and given:
        free = [column for column in given if column not in roles.values()]
        if named and "rating" in needed and (of_others := columns_of_interactions(free)):
            free = [c for c in free if c not in of_others]
            if len(needed) == 1:  # what is left beside these may be anything
                free = [column for column in free if given[column].looks_like_ratings]
        is_named = named and len(needed) < 3
        guess = _told_apart(free, needed, given, is_named=is_named)
        item = given.get(roles.get("item", ""))
        if "user" in guess and item is not None and item.is_unique:
            del guess["user"]  # rather a table of items than one of ratings
        if not named and not is_matrix and needed == [*ROLES[:3]] and len(guess) < len(needed):
            guess = _behind_ids(free, given)
        times = [c for c in free if c not in guess.values() and given[c].is_time]
        if "timestamp" in lacking and not named and len(times) == 1:
            guess["timestamp"] = times[0]
        shown = ", ".join(f"{role} = {column}" for role, column in guess.items())
        notes = [f"told by what is in the columns: {shown}"]
    if any(role not in guess for role in needed):
        if not named and given and not roles and _are_pairs(columns, given):
            guess = dict(zip(("user", "item"), columns, strict=False))
        raise _unclear(name, columns, roles | guess, given)
    fourth = columns[3] if not named and len(columns) == 4 else None
    if fourth and "timestamp" in lacking and fourth not in {*roles.values(), *guess.values()}:
        notes.append(f"column {fourth} is not read as times, which it does not look like")
    return guess, notes


def _by_position(
    columns: list[str], roles: dict[str, str], lacking: list[str], given: Mapping[str, Content]
) -> dict[str, str]:
    """User, item, rating and time in this order, if nothing in the columns is against it."""
    places = zip(ROLES, columns, strict=False)
    placed = {r: c for r, c in places if r in lacking and c not in roles.values()}
    if not given:
        return placed
    fourth = placed.get("timestamp")
    if fourth is not None and not given[fourth].may_be_times:
        del placed["timestamp"]
    for role, column in placed.items():
        content = given[column]
        if role == "rating" and not content.may_be_ratings:
            return {}
        if role in ("user", "item") and not content.may_be_ids:
            return {}
    rest = [c for c in columns if c not in {*roles.values(), *placed.values()}]
    rating = placed.get("rating")
    if rating is None or len(columns) < 4:
        return placed
    is_usual = len(columns) == 4 or (fourth is not None and given[fourth].is_time)
    rivals = [column for column in rest if given[column].looks_like_ratings]
    is_rating = given[rating].looks_like_ratings
    return placed if is_usual and (is_rating or not rivals) else {}


def _are_pairs(columns: list[str], given: Mapping[str, Content]) -> bool:
    """Whether two columns of ids come first, and none behind them is of ratings."""
    return (
        len(columns) > 1
        and all(given[c].may_be_ids and not given[c].is_time for c in columns[:2])
        and not any(given[column].may_be_ratings for column in columns[2:])
    )


def _may_be_matrix(columns: list[str], given: Mapping[str, Content]) -> bool:
    """Whether each row may be a user, and each further column an item."""
    further = [given[column] for column in columns[1:]]
    if (
        len(further) < 3
        or not given[columns[0]].is_unique
        or not all(c.looks_like_ratings for c in further)
    ):
        return False
    first, second = (content.distinct for content in further[:2])
    return 2 * len(first & second) >= len(first | second)


def _behind_ids(free: list[str], given: Mapping[str, Content]) -> dict[str, str]:
    """User and item in the first columns, and the column behind them that is clearly of ratings."""
    user, item = (given[column] for column in free[:2])
    ratings = [
        column
        for column in free[2:]
        if given[column].looks_like_ratings
        and not given[column].describes(user)
        and not given[column].describes(item)
    ]
    if len(ratings) != 1 or not user.may_be_ids or not item.may_be_ids:
        return {}
    return dict(zip(ROLES, [*free[:2], *ratings], strict=False))


def _told_apart(
    free: list[str], needed: list[str], given: Mapping[str, Content], *, is_named: bool
) -> dict[str, str]:
    """The columns for the roles that are needed, as far as each is clear from what is in them.

    Where names tell other roles (``is_named``), a column of ids has to be the last that is left.
    """
    guess: dict[str, str] = {}
    ids = [column for column in free if given[column].may_be_ids]
    if "rating" in needed:
        ratings = [column for column in free if given[column].looks_like_ratings]
        keys = [column for column in ids if column not in ratings]
        ratings = [r for r in ratings if not any(given[r].describes(given[key]) for key in keys)]
        if not ratings and len(free) == len(needed) == 1:
            ratings = [column for column in free if given[column].may_be_ratings]
        if len(ratings) != 1:
            return guess
        guess["rating"] = ratings[0]
    wanted = [role for role in needed if role != "rating"]
    ids = [column for column in ids if column not in guess.values() and not given[column].is_time]
    if is_named and len(free) > len(needed):
        return guess
    if len(ids) > len(wanted):
        ids = [column for column in ids if not given[column].is_unique]
    if len(ids) > len(wanted):
        ids = [c for c in ids if not any(given[c].describes(given[o]) for o in ids if o != c)]
    if len(ids) == len(wanted):
        guess |= dict(zip(wanted, ids, strict=True))
    return guess


# ---- what is not clear ----


def _unclear(
    name: str, columns: list[str], roles: Mapping[str, str], given: Mapping[str, Content]
) -> DataError:
    """The error of a table whose columns cannot be told apart, with what to write."""
    lacking = [role for role in ROLES[:3] if role not in roles]
    free = [column for column in columns if column not in roles.values()]
    shown = ", ".join(columns[:8]) + (" …" if len(columns) > 8 else "")
    if lacking == ["rating"]:
        return _without_ratings(name, shown, free, given)
    places = {role: roles.get(role, "NAME") for role in ROLES[:3]}
    calls = ", ".join(f"{role}={column!r}" for role, column in places.items())
    return DataError(
        f"{name}, column of the {lacking[0]}",
        expected=f"a name such as {', '.join(NAMES[lacking[0]].split()[:3])}",
        received=f"columns {shown}, and what is in them does not tell it",
        do=f"name them: {calls}",
    )


def _without_ratings(
    name: str, shown: str, free: list[str], given: Mapping[str, Content]
) -> DataError:
    """The error of a table without a column that is clearly one of ratings."""
    received, do = f"columns {shown}", "name it: rating=..."
    is_counted = bool(columns_of_interactions(free))
    truths = [column for column in free if column in given and given[column].is_truth]
    texts = [c for c in free if c in given and not given[c].numbers and given[c].may_be_ids]
    refuse: type[DataError] = DataError
    if truths:
        both = sorted(given[truths[0]].distinct, reverse=True)[:2]
        received = f"column {truths[0]} of {' and '.join(both)}"
        do = f"to read these as 1 and 0, name it: rating={truths[0]!r}"
        if is_counted:
            refuse = NoRatingsError
        else:
            do += f"; as likes and dislikes: weight={truths[0]!r}"
    elif is_counted or (given and not any(given[c].may_be_ratings for c in free if c in given)):
        words = ", ".join(sorted(given[texts[0]].distinct)[:3]) if texts else ""
        received += (
            ""
            if is_counted and not texts
            else f", none of numbers to rate with{f' ({texts[0]}: {words})' if texts else ''}"
        )
        do = "add a column of ratings, one of 1 in each row is enough for lists of items"
        refuse = NoRatingsError
    return refuse(
        f"{name}, column of the rating",
        expected=f"a name such as {', '.join(NAMES['rating'].split()[:3])}",
        received=received,
        do=do,
    )
