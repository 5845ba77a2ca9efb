#!/usr/bin/env python3
"""The registers of a CMSIS-SVD file, one line an element, for the test to compare with.

A second reading of the format, by another parser and in another way: everything is copied and
expanded first, then printed. It knows what uart.svd uses, and checks nothing.
"""
import copy
import string
import sys
import xml.etree.ElementTree as ET

GROUP = ('size', 'access', 'resetValue', 'resetMask', 'modifiedWriteValues', 'readAction')


def num(text):
    text = text.strip()
    if text.startswith('#'):
        return int(text[1:], 2)
    return int(text, 0)


def text(node, tag, default=None):
    found = node.find(tag)
    return default if found is None else found.text.strip()


def named(root, tag, path):
    steps = path.split('.')
    for node in root.iter(tag):
        if text(node, 'name') == steps[-1]:
            return node
    raise SystemExit(f'no {tag} {path}')


def derive(root, node):
    """The node with all that it inherits from its base, as a tree without derivedFrom."""
    base_name = node.attrib.get('derivedFrom')
    if base_name is None or node.tag == 'enumeratedValues':
        return node
    merged = copy.deepcopy(derive(root, named(root, node.tag, base_name)))
    for child in node:
        old = merged.find(child.tag)
        if old is not None and child.tag in ('registers', 'fields'):
            own = {text(c, 'name') for c in child}
            for inherited in [c for c in old if text(c, 'name') in own]:
                old.remove(inherited)
            old.extend(child)
        elif child.tag in ('register', 'cluster', 'field'):
            merged.append(child)
        else:
            if old is not None:
                merged.remove(old)
            merged.append(child)
    return merged


def indices(node):
    count = num(text(node, 'dim'))
    listed = text(node, 'dimIndex')
    if listed is None:
        return [str(i) for i in range(count)]
    if ',' in listed:
        return [i.strip() for i in listed.split(',')]
    first, last = listed.split('-')
    if first.isdigit():
        return [str(i) for i in range(int(first), int(last) + 1)]
    letters = string.ascii_uppercase
    return list(letters[letters.index(first):letters.index(last) + 1])


def copies(node):
    """(name, distance from the first) for each copy that dim asks for."""
    name = text(node, 'name')
    if node.find('dim') is None:
        return [(name, 0)]
    step = num(text(node, 'dimIncrement'))
    return [(name.replace('%s', index), i * step) for i, index in enumerate(indices(node))]


def group(node, inherited):
    return {tag: text(node, tag, inherited.get(tag)) for tag in GROUP}


def access(props):
    kind = props['access']
    if kind == 'read-only':
        return 'RC' if props['readAction'] == 'clear' else 'RO'
    if kind in ('write-only', 'writeOnce'):
        return 'WO'
    return {'oneToClear': 'W1C', 'oneToSet': 'RW1S'}.get(props['modifiedWriteValues'], 'RW')


def bits(field):
    if field.find('bitRange') is not None:
        high, low = text(field, 'bitRange').strip('[]').split(':')
        return int(high), int(low)
    if field.find('lsb') is not None:
        return num(text(field, 'msb')), num(text(field, 'lsb'))
    low = num(text(field, 'bitOffset'))
    return low + num(text(field, 'bitWidth')) - 1, low


def values(root, field):
    holder = field.find('enumeratedValues')
    if holder is None:
        return ''
    if 'derivedFrom' in holder.attrib:
        holder = named(root, 'enumeratedValues', holder.attrib['derivedFrom'])
    known = [(num(text(v, 'value')), text(v, 'name'))
             for v in holder.findall('enumeratedValue') if v.find('value') is not None]
    return ''.join(f' {value}={name}' for value, name in known)


def walk(root, holder, prefix, base, inherited, seen):
    # Of registers at one address the one that is no alternative counts.
    for node in sorted(holder, key=lambda n: n.find('alternateRegister') is not None):
        if node.tag not in ('register', 'cluster'):
            continue
        node = derive(root, node)
        props = group(node, inherited)
        for name, distance in copies(node):
            at = base + num(text(node, 'addressOffset')) + distance
            if node.tag == 'cluster':
                walk(root, node, prefix + name + '.', at, props, seen)
                continue
            if at in seen:  # an alternative, or what is only written
                continue
            seen.add(at)
            size = num(props['size'])
            reset = num(props['resetValue']) & num(props['resetMask']) & ((1 << size) - 1)
            fields = node.find('fields')
            plain = 'reserved' if fields is not None else access(props)
            print(f'{prefix}{name} at {at:#x} bits {size} reset {reset:#x} {plain}')
            lines = []
            for field in fields if fields is not None else []:
                field = derive(root, field)
                kind = access(group(field, props))
                high, low = bits(field)
                for one, offset in copies(field):
                    lines.append((low + offset, f'  {one} {high + offset}:{low + offset} {kind}'
                                                f'{values(root, field)}'))
            for _, line in sorted(lines):
                print(line)


def main():
    root = ET.parse(sys.argv[1]).getroot()
    top = group(root, {})
    for node in root.find('peripherals'):
        node = derive(root, node)
        for name, distance in copies(node):
            print(f'{name} base {num(text(node, "baseAddress")) + distance:#x}')
            walk(root, node.find('registers'), name + '.', 0, group(node, top), set())


main()
