import pkgutil

import connectors
from connectors import Connector, known_connectors
from connectors.registry import _OWN


def test_every_module_of_the_room_that_is_no_part_of_it_is_a_vendor_by_its_own_name():
    modules = {module.name for module in pkgutil.iter_modules(connectors.__path__)} - _OWN
    found = known_connectors()
    assert set(found) >= modules
    assert all(isinstance(c, Connector) and name == c.name for name, c in found.items())
