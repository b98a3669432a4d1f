"""Notes."""

import sqlalchemy
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table("note", sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True))


def downgrade():
    op.drop_table("note")
