"""What a server offers, as OpenAPI: of one seat, with the tools that its protocol offers, or of a retriever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lrat_bench.model.seam import Tool

__all__ = ["retriever_openapi", "seat_openapi"]

_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_ONE_OR_MANY = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "of one call: sent again with the same key, it gets the first reply and is no second call",
}
_SEARCHED = {
    "type": "object",
    "properties": {
        "query": {"type": "string"},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "docid": {"type": "string"},
                    "score": {"type": "number", "description": "absent under a protocol that shuffles lists"},
                    "snippet": {"type": "string"},
                },
                "required": ["docid", "snippet"],
            },
        },
        "note": {"type": "string"},
    },
}
_READ = {
    "type": "object",
    "properties": {"docid": {"type": "string"}, "text": {"type": "string"}, "note": {"type": "string"}},
}
_REFUSALS = {
    "400": "the call cannot be read",
    "403": "no more calls are granted: answer now",
    "404": "there is no question under this address",
    "410": "the question is over",
    "422": "the key came before with another call",
    "429": "too many calls are waiting",
    "502": "the retriever failed",
    "503": "the server is stopping",
}


def seat_openapi(tools: Sequence[Tool], base: str) -> dict[str, Any]:
    """The document of one seat.

    Args:
        tools: on offer.
        base: address of the seat.
    """
    by_name = {tool.name: tool for tool in tools}
    paths: dict[str, Any] = {
        "/": {"get": _operation("about", "the question, the tools, the budget, and how to answer", {"type": "object"})}
    }
    if (search := by_name.get("search")) is not None:
        body = _body({"query": _ONE_OR_MANY}, ["query"])
        paths["/search"] = {"post": {**_operation("search", search.description, _listed(_SEARCHED)), **body}}
    if (document := by_name.get("get_document")) is not None:
        docid = {"name": "docid", "in": "path", "required": True, "schema": {"type": "string"}}
        one = _operation("get_document", document.description, _READ)
        paths["/document/{docid}"] = {"get": {**one, "parameters": [docid, _KEY]}}
        body = _body({"docid": _ONE_OR_MANY}, ["docid"])
        several = _operation("get_documents", document.description, _listed(_READ))
        paths["/document"] = {"post": {**several, **body}}
    if (answer := by_name.get("answer")) is not None:
        body = _body({"answer": {"type": ["string", "null"], "description": "null gives up"}}, ["answer"])
        paths["/answer"] = {"post": {**_operation("answer", answer.description, {"type": "object"}), **body}}
    return _document("One question of lrat-bench", base, paths)


def retriever_openapi(base: str) -> dict[str, Any]:
    """The document of a retriever.

    Args:
        base: address of the server.
    """
    queries = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    search = _body({"queries": queries, "k": {"type": "integer", "minimum": 1}}, ["queries"])
    search_r1 = _body(
        {
            "queries": queries,
            "topk": {"type": "integer", "minimum": 1},
            "return_scores": {"type": "boolean"},
        },
        ["queries"],
    )
    found = {
        "type": "object",
        "properties": {"fingerprint": {"type": ["string", "null"]}, "rankings": {"type": "array"}},
    }
    result = {"type": "object", "properties": {"result": {"type": "array"}}}
    paths = {
        "/health": {"get": _operation("health", "what is served", {"type": "object"})},
        "/search": {"post": {**_operation("search", "rankings: a list of [docid, score] per query", found), **search}},
        "/retrieve": {"post": {**_operation("retrieve", "documents, as Search-R1 asks for them", result), **search_r1}},
    }
    for path in paths.values():
        for operation in path.values():
            operation["security"] = [{"token": []}]
    document = _document("A retriever of lrat-bench", base, paths)
    return {**document, "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}}


def _document(title: str, base: str, paths: dict[str, Any]) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": title, "version": "1"}, "servers": [{"url": base}], "paths": paths}


def _operation(name: str, summary: str, result: dict[str, Any]) -> dict[str, Any]:
    replies: dict[str, Any] = {"200": {"description": "done", "content": {"application/json": {"schema": result}}}}
    for status, what in _REFUSALS.items():
        replies[status] = {"description": what, "content": {"application/json": {"schema": _ERROR}}}
    return {"operationId": name, "summary": summary, "responses": replies}


def _body(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required}
    return {
        "parameters": [_KEY],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }


def _listed(one: dict[str, Any]) -> dict[str, Any]:
    """One result, or an array of them for a list-valued call."""
    return {"oneOf": [one, {"type": "array", "items": one}]}
