"""Streams and their points, downlinks, queries, and all of it while the server is away."""

from base import URL, ConnectorDB, path, plain, points, step, tell
from people import me, sensor

from connectordb.query import Dataset, Merge

# --- streams ---

stream = sensor["n"]
# apart from what is exported later: 0.3.5 cannot import a stream of more than 5000 points
me(path("bulk")).create()
bulk = ConnectorDB(me(path("bulk")).apikey, url=URL)


@step
def stream_absent():
    """a stream that is not there"""
    return stream.exists()


@step
def create_stream():
    """create a stream"""
    stream.create({"type": "number"}, nickname="N", datatype="number.x")
    return stream.data


@step
def create_stream_twice():
    """create the same stream again"""
    stream.create({"type": "number"})


@step
def create_with_bad_schema():
    """create a stream with a schema that is none"""
    sensor["bad"].create({"type": "blah"})


@step
def stream_properties():
    """set a stream's properties"""
    stream.nickname = "n"
    stream.description = "ünï → ☃"
    stream.icon = ""
    stream.datatype = "number.rating"
    stream.ephemeral = True
    stream.ephemeral = False
    stream.downlink = True
    stream.downlink = False
    stream.schema = {"type": "number", "minimum": -1e6}
    stream.refresh()
    return [stream.data, stream.schema, stream.sschema]


@step
def read_empty():
    """read an empty stream"""
    return [len(stream), stream[:], stream()]


@step
def last_of_empty():
    """read the last point of an empty stream"""
    return stream[-1]


@step
def insert_one():
    """insert one point"""
    sensor["one"].create({})
    sensor["one"].insert(1)
    sensor["one"].append({"a": [1, None, "ü<&>"]})
    return [len(sensor["one"]), plain(sensor["one"][:])]


@step
def insert_array():
    """insert an array"""
    stream.insert_array(points((1, 1), (2, 2), (3, 3), (4, 4), (5, 5)))
    return stream[:]


@step
def insert_older():
    """insert what is older"""
    stream.insert_array(points((2, 9)))


@step
def insert_restamping():
    """insert what is older, restamping"""
    stream.insert_array(points((2, 6), (7, 7)), restamp=True)
    return stream[:]


@step
def insert_wrong():
    """insert what the schema refuses"""
    stream.insert("text")


@step
def insert_into_absent():
    """insert into what is not there"""
    sensor["nothing"].insert(1)


@step
def insert_many():
    """insert more than fits into one request"""
    many = bulk["many"]
    many.create({})
    many.insert_array(points(*((i + 1, i) for i in range(12345))))
    return [len(many), many[0], many[-1], many[5000], sum(many[:].d())]


@step
def by_index():
    """read by index"""
    return [
        stream[0],
        stream[2],
        stream[-1],
        stream[-2],
        stream[0:2],
        stream[2:4],
        stream[-3:],
        stream[:-3],
        stream[3:3],
        stream[:3],
    ]


@step
def out_of_range():
    """read by an index that is not there"""
    return stream[100]


@step
def slice_out_of_range():
    """read by a range of indices that is not there"""
    return stream[100:200]


@step
def slice_backwards():
    """read by a range of indices that goes backwards"""
    return stream[4:1]


@step
def by_call():
    """read by a call"""
    return [
        stream(t1=2),
        stream(t1=2, t2=4),
        stream(t2=3),
        stream(t1=1, limit=2),
        stream(i1=1, i2=3),
        stream(i1=-2),
        stream(i2=2),
        stream(t1=2.5, t2=1e9),
        stream(t1=9, t2=1),
    ]


@step
def mixed():
    """read by times and indices at once"""
    return stream(t1=1, i1=1)


@step
def transform():
    """read with a transform"""
    return stream(i1=0, transform="if $ > 3")


@step
def arrays():
    """what comes is a DatapointArray"""
    read = stream(i1=0, i2=4)
    return [
        type(read).__name__,
        [t.timestamp() for t in read.t()],
        read["d"],
        read.sum(),
        read.mean(),
        read.merge([{"t": 0.5, "d": 0}]),
    ]


@step
def lengths():
    """ask for lengths"""
    return [len(stream), stream.length(), stream.length(downlink=True)]


@step
def delete_stream():
    """delete a stream"""
    gone = sensor["gone"]
    gone.create({})
    gone.delete()
    return gone.exists()


@step
def delete_absent():
    """delete what is not there"""
    sensor["gone"].delete()


# --- downlinks ---

lamp = ConnectorDB(me(path("lamp")).apikey, url=URL)
light = lamp["light"]


@step
def insert_into_downlink():
    """insert into another's downlink"""
    me(path("lamp/light")).insert(True)
    return [
        len(light),
        light.length(downlink=True),
        plain(light(i1=0, downlink=True)),
        plain(light(t1=1, downlink=True)),
    ]


@step
def denied_insert():
    """insert into what is another's and no downlink"""
    lamp(path("sensor/n")).insert(1)


# --- queries ---


@step
def merge():
    """merge"""
    both = Merge(sensor)
    both.addStream("n", i1=0, i2=3)
    both.addStream(bulk["many"], t1=1, t2=3)
    both.addStream(path("sensor/n"), t1=1, limit=1)
    return both.run()


@step
def merge_absent():
    """merge what is not there"""
    both = Merge(sensor)
    both.addStream("nothing")
    return both.run()


@step
def dataset():
    """dataset by time"""
    table = Dataset(sensor, t1=1, t2=4, dt=1)
    table.addStream("n", "closest", colname="a")
    table.addStream(bulk["many"], "before")
    return table.run()


@step
def dataset_x():
    """dataset by a stream"""
    table = Dataset(sensor, x="n", i1=0, i2=2)
    table.addStream("n", "closest", colname="again")
    return table.run()


# --- a server that is away ---


@step
def away():
    """use a server that is away"""
    tell(ask="away")
    try:
        return stream[:]
    finally:
        tell(ask="back")


@step
def exists_while_away():
    """ask for what is there while the server is away"""
    tell(ask="away")
    try:
        return stream.exists()
    finally:
        tell(ask="back")
