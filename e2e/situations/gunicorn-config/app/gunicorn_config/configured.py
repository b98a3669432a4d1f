workers = 2
preload_app = True
control_socket_disable = True


def on_starting(server):
    print("starting", server.cfg.workers, flush=True)
