"""What a server offers, as OpenAPI: of one seat, with the tools that its protocol offers, or of a retriever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lrat_bench.model.seam import Tool

__all__ = ["retriever_openapi", "seat_openapi"]

_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_OBJECT = {"type": "object"}
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
_ANY = {
    "403": "the page of another site asks",
    "408": "the request did not come in in time",
    "413": "the request is too long",
    "421": "the server is not known under that name",
    "500": "the server failed on this request",
    "503": "too many are connected",
    "504": "no reply in time: ask again with the same key",
}
"""Refusals of everything that is asked."""

_OVER = {"404": "there is no question under this address", "410": "the question is over"}

_CALLED = {
    **_OVER,
    "400": "the call cannot be read",
    "403": "no more calls are granted: answer now; or the page of another site asks",
    "422": "the key came before with another call",
    "429": "too many calls are waiting, or were refused",
    "502": "the retriever failed",
    "503": "the server is stopping, or too many are connected",
}
"""Refusals of calls at a seat."""

_SEARCHED_ALONE = {
    "400": "the request cannot be read",
    "401": "the token is missing or wrong",
    "502": "the retriever failed",
    "504": "no reply in time: ask again",
}
"""Refusals of a retriever."""


def seat_openapi(tools: Sequence[Tool], base: str) -> dict[str, Any]:
    """The document of one seat.

    Args:
        tools: on offer.
        base: address of the seat.
    """
    by_name = {tool.name: tool for tool in tools}
    paths: dict[str, Any] = {
        "/": {"get": _operation("about", "the question, the tools, the budget, and how to answer", _OBJECT, _OVER)}
    }
    if (search := by_name.get("search")) is not None:
        body = _call({"query": _ONE_OR_MANY}, ["query"])
        paths["/search"] = {"post": {**_operation("search", search.description, _listed(_SEARCHED), _CALLED), **body}}
    if (document := by_name.get("get_document")) is not None:
        docid = {"name": "docid", "in": "path", "required": True, "schema": {"type": "string"}}
        one = _operation("get_document", document.description, _READ, _CALLED)
        paths["/document/{docid}"] = {"get": {**one, "parameters": [docid, _KEY]}}
        body = _call({"docid": _ONE_OR_MANY}, ["docid"])
        several = _operation("get_documents", document.description, _listed(_READ), _CALLED)
        paths["/document"] = {"post": {**several, **body}}
    if (answer := by_name.get("answer")) is not None:
        body = _call({"answer": {"type": ["string", "null"], "description": "null gives up"}}, ["answer"])
        paths["/answer"] = {"post": {**_operation("answer", answer.description, _OBJECT, _CALLED), **body}}
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
    searches = {
        "/search": {
            **_operation("search", "rankings: a list of [docid, score] per query", found, _SEARCHED_ALONE),
            **search,
        },
        "/retrieve": {
            **_operation("retrieve", "documents, as Search-R1 asks for them", result, _SEARCHED_ALONE),
            **search_r1,
        },
    }
    paths: dict[str, Any] = {"/health": {"get": _operation("health", "what is served", _OBJECT, {})}}
    paths |= {path: {"post": {**operation, "security": [{"token": []}]}} for path, operation in searches.items()}
    document = _document("A retriever of lrat-bench", base, paths)
    return {**document, "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}}


def _document(title: str, base: str, paths: dict[str, Any]) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": title, "version": "1"}, "servers": [{"url": base}], "paths": paths}


def _operation(name: str, summary: str, result: dict[str, Any], refusals: dict[str, str]) -> dict[str, Any]:
    replies: dict[str, Any] = {"200": {"description": "done", "content": {"application/json": {"schema": result}}}}
    for status, what in sorted({**_ANY, **refusals}.items()):
        replies[status] = {"description": what, "content": {"application/json": {"schema": _ERROR}}}
    return {"operationId": name, "summary": summary, "responses": replies}


def _call(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """What is sent to a seat: a body, under a key of its own."""
    return {"parameters": [_KEY], **_body(properties, required)}


def _body(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _listed(one: dict[str, Any]) -> dict[str, Any]:
    """One result, or an array of them for a list-valued call."""
    return {"oneOf": [one, {"type": "array", "items": one}]}
