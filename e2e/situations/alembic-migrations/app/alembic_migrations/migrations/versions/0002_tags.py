"""Tags."""

import sqlalchemy
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_table("tag", sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True))


def downgrade():
    op.drop_table("tag")
