"""Logging in, users, devices."""

from base import URL, U, admin, path, step

from connectordb import ConnectorDB

# --- logging in ---


@step
def log_in_by_password():
    """log in by password"""
    cdb = ConnectorDB("test", "test", url=URL)
    result = [cdb.path, cdb.apikey == admin.apikey, cdb.name]
    cdb.close()
    return result


@step
def log_in_by_key():
    """log in by API key"""
    return ConnectorDB(admin.apikey, url=URL).path


@step
def log_in_with_slash():
    """log in with a slash at the end of the URL"""
    return ConnectorDB(admin.apikey, url=URL + "/").path


@step
def wrong_password():
    """log in by a wrong password"""
    return ConnectorDB("test", "wrong", url=URL).path


@step
def wrong_key():
    """log in by a wrong key"""
    return ConnectorDB("no-such-key", url=URL).path


@step
def nobody():
    """not log in"""
    return ConnectorDB(url=URL).path


@step
def ping():
    """ping"""
    return admin.ping()


@step
def info():
    """info"""
    return [admin.info()["version"], sorted(admin.info())]


# --- users ---

user = admin(U)


@step
def absent():
    """a user that is not there"""
    return user.exists()


@step
def create_user():
    """create a user with its tree"""
    user.create(
        U + "@example.org",
        "pw",
        description="made by 0.3.5",
        streams={"mood": {"schema": '{"type":"integer"}'}},
        devices={
            "lamp": {
                "enabled": True,
                "visible": True,
                "streams": {"light": {"schema": '{"type":"boolean"}', "downlink": True}},
            }
        },
    )
    return user.data


@step
def create_again():
    """create the same user again"""
    user.create(U + "x@example.org", "pw")


@step
def there():
    """a user that is there"""
    return user.exists()


@step
def listed():
    """list users"""
    return U in [u.name for u in admin.users()]


@step
def counts():
    """count"""
    return [type(n).__name__ for n in (admin.count_users(), admin.count_devices(), admin.count_streams())]


@step
def user_properties():
    """set a user's properties"""
    user.nickname = "Old"
    user.description = "changed"
    user.email = U + "-2@example.org"
    user.public = False
    user.public = True
    user.icon = "material:person"
    user.set({"description": "set"})
    user.refresh()
    return user.data


@step
def user_role():
    """set a user's role"""
    user.role = "admin"
    before = user.role
    user.role = "user"
    return [before, user.role]


@step
def bad_property():
    """set a role that there is none of"""
    user.role = "king"


@step
def set_password():
    """set a password and log in with it"""
    user.set_password("pw2")
    return ConnectorDB(U, "pw2", url=URL).path


me = ConnectorDB(U, "pw2", url=URL)


@step
def old_password():
    """log in with the password of before"""
    return ConnectorDB(U, "pw", url=URL).path


@step
def denied_count():
    """count without the right to"""
    return me.count_users()


@step
def devices_of():
    """list a user's devices"""
    return sorted(d.name for d in me.user.devices())


@step
def streams_of():
    """list a user's streams"""
    return [
        sorted(s.path for s in me.user.streams(**options))
        for options in ({}, {"downlink": True}, {"public": True}, {"visible": False})
    ]


@step
def through_brackets():
    """reach objects by brackets"""
    return [
        me.user["lamp"].path,
        me.user["lamp"]["light"].path,
        me["mood"].path,
        me["mood"].device.path,
        me["mood"].user.path,
    ]


# --- devices ---

device = me(path("sensor"))


@step
def create_device():
    """create a device with its streams"""
    device.create(public=True, nickname="s", streams={"t": {"schema": '{"type":"number"}'}})
    return {k: v for k, v in device.data.items() if k != "apikey"}


@step
def device_twice():
    """create the same device again"""
    device.create()


@step
def device_properties():
    """set a device's properties"""
    device.nickname = "Sensor"
    device.description = "d"
    device.icon = ""
    device.enabled = False
    device.public = False
    device.role = "reader"
    device.refresh()
    return {k: v for k, v in device.data.items() if k != "apikey"}


@step
def reset_key():
    """reset a device's key"""
    before = device.apikey
    after = device.reset_apikey()
    return [len(before), len(after), before != after]


sensor = ConnectorDB(device.apikey, url=URL)


@step
def as_device():
    """log in as the device"""
    return [sensor.path, sensor.user.path, sensor.exists()]


@step
def device_streams():
    """list a device's streams"""
    return [s.name for s in sensor.streams()]


@step
def elsewhere():
    """look at what is another's"""
    return [sensor("test").exists(), sensor("test/user").exists(), sensor("test/user/x").exists()]
