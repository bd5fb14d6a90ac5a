"""All that a server loads before its first answer, for the processes that are forked from it."""

import alembic.command
import httptools
import httpx
import numpy as np
import sqlalchemy.dialects.postgresql
import sqlalchemy.dialects.sqlite
import uvicorn.protocols.http.httptools_impl
import uvloop

import tastemap.models.bias
import tastemap.serve.app
from tastemap.kernels.factors import score_rows

# Numba sets itself up in the first call of a compiled function, which starts no thread.
score_rows(np.zeros((1, 2), np.float32), np.zeros(2), np.zeros(1, np.float32))
