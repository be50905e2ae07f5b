"""Alembic's door: runs the migrations on the connection it is handed, or on a fresh SQLite for drafts."""

import importlib
import pkgutil

from alembic import context
from sqlalchemy import create_engine
from sqlmodel import SQLModel

import domain

for module in pkgutil.iter_modules(domain.__path__, "domain."):
    importlib.import_module(module.name)

connection = context.config.attributes.get("connection")
if connection is None:
    connection = create_engine(context.get_x_argument(as_dictionary=True)["url"]).connect()
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
