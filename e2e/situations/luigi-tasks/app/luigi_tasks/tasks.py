import luigi


class Part(luigi.Task):
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(f"part-{self.number}.txt")

    def run(self):
        with self.output().open("w") as stream:
            stream.write(str(self.number))


class Total(luigi.Task):
    def requires(self):
        return [Part(number) for number in range(3)]

    def output(self):
        return luigi.LocalTarget("total.txt")

    def run(self):
        with self.output().open("w") as stream:
            stream.write(str(sum(int(part.open().read()) for part in self.input())))
