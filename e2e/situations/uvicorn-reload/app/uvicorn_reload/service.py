import os

from fastapi import FastAPI

from uvicorn_reload.value import VALUE

app = FastAPI()


@app.get("/")
def index():
    return {"value": VALUE, "process": os.getpid()}
